"""The pair file: schema, rows in memory, writer, reader, and everything that looks at or joins such files."""
