"""What happens around the loop: where a run lives, what interrupts it, how it ends."""
