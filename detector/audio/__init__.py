"""Audio: frames, G.711, resampling, files, level, voice activity, tones."""
