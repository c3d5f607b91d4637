-- Names as lib/name.ts wants them, which had no rule before: without control characters and blanks around them, at most
-- 100 characters, and something to see, or else the address up to the @. Pictures are no longer stored.
UPDATE "user" SET "name" = fit."name", "image" = NULL
FROM (
    SELECT "id", CASE
        WHEN tidy ~ '[^\s\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]'
        THEN tidy
        ELSE left(split_part("email", '@', 1), 100) END AS "name"
    FROM (
        SELECT "id", "email", btrim(left(btrim(regexp_replace("name", '[\u0001-\u001f\u007f-\u009f\u2028\u2029]', ' ', 'g'), blank), 100), blank) AS tidy
        FROM "user", (SELECT E' \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\ufeff' AS blank) AS blanks
    ) AS tidied
) AS fit
WHERE fit."id" = "user"."id" AND ("user"."name" <> fit."name" OR "user"."image" IS NOT NULL);
