"""Small helpers that know nothing of recurrent networks."""
