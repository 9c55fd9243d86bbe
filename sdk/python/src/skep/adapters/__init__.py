"""Memory in the forms of others, one file each. None of them is needed by the rest."""
