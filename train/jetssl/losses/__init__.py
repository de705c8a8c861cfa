"""Objectives as plain functions of embeddings."""
