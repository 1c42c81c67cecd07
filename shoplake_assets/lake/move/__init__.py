"""Moving a lake: its files and its catalog go to another place, with their whole history."""
