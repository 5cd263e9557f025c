"""Thai number plates made here, and the networks trained on them."""
