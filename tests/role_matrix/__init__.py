"""Who may open what: one declared row for every address and method, called as everybody (test_role_matrix.py)."""
