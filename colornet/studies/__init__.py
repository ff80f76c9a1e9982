"""The paper's trials as studies, and the report (paper, 5.2)."""
