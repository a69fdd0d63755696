"""Pictures of numbers: the document of plain values, and its drawing."""
