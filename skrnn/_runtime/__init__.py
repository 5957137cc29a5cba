"""What the machine offers: threads, memory, instruction sets."""
