"""What the detector did, judged: figures with their intervals, curves, errors one by one, and a report of them."""
