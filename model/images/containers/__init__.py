"""What an image file says before its pixels are decoded: bounds on the time and memory that decoding takes."""
