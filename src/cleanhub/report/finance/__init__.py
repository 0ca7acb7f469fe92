"""What people get of a project case: term sheet, charts, and a workbook with live formulas."""
