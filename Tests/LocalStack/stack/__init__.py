"""Brings up what the services need where there is no container engine, and the services themselves."""
