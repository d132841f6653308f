"""What the lecture's claims are measured by: networks trained, and questions asked of them."""
