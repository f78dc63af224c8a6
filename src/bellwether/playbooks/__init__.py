"""Playbooks: steps taken for clients that meet a trigger, with a hold-out that shows whether they help."""
