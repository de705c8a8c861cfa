"""The main job: a run cut into chunks, each made somewhere, kept, and joined; and one row made again."""
