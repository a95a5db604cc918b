"""What watches over a server: health checks, and metrics for Prometheus."""
