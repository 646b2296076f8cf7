"""What the notes claim, judged: each claim with the truth, computed, and the reason it must be so."""
