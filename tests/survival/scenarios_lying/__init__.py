"""Scenarios that must fail: they show that the harness can."""
