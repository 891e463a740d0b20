"""`detector bench`: measure speed and accuracy against what a user would do instead."""
