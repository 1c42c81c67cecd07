"""What a user would pick instead: each set up as its own documentation says, on the same topic and the same machine."""
