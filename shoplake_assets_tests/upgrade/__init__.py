"""Lakes that earlier releases have made, and what this release makes of them."""
