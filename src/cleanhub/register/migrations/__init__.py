"""The schemas of the register, one module for each step from a released one to the next."""
