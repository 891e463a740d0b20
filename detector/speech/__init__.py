"""Speech: turns, transcripts, recognition and the model files it needs."""
