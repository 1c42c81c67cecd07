"""Asset checks: what is proven before a table is published, and what is watched beside it."""
