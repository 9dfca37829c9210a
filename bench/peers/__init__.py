"""What Vigil is measured beside."""
