"""Networks scored and shown: tables and figures (paper, 5.1, 5.3)."""
