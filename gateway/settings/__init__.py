"""From files people write to typed settings, or every problem at once with its place."""
