"""Alerts: what detectors find in the figures of clients, the settings behind them and the inbox."""
