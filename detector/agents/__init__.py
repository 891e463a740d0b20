"""Agents: the drivers around the engine: live session, replay, simulation, test caller."""
