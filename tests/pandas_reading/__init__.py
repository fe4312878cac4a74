"""The rules read a third time: plain pandas, written from the texts of the rules and the printed questionnaire.

Nothing here looks at the SQL of a rule, and nothing is asked of DuckDB: types, rosters, universes and rules are worked
out again from the delivered text, so that an error would have to be made twice to stay unseen.
"""
