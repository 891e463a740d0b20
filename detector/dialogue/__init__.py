"""Dialogue: the agent's acts, prompts and planner."""
