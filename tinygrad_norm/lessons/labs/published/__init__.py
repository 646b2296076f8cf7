"""Labs that set published results beside one's own: what each asks is in its module, what all share in ``report``."""
