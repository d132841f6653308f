"""The benchmark's rooms: what is measured, by whom, and the page that it comes to."""
