"""The page "Live": what has just happened in the shop, as Silver has it."""
