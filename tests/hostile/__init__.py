"""The hostile corpus: ``corpus.csv`` states what becomes of each kind of broken delivery, builders make one of each."""
