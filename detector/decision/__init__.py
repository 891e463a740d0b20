"""Decision: verdict, fusion of evidence, policy."""
