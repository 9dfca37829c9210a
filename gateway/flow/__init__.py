"""What happens to a reading inside the gateway: the latest values, and what of them is due to be sent."""
