"""Service: the running answering service around store, engines and recognition."""
