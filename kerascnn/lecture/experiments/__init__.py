"""The experiments that measure the lecture's claims: networks trained, pictures and shapes."""
