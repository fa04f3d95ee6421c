"""Headwater: collect events, load them into your warehouse, model them, sync them to your tools."""
