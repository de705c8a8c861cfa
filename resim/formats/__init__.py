"""Jets in the files of others: read through a mapping card into a pair file, and written from one."""
