"""Carries messages to people over the channels they chose: in the product, by mail, Slack, Teams and webhook."""
