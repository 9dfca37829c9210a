"""True time on machines that may not know it: scales, boots, and rows held until their time is known."""
