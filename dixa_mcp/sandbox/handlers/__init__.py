"""One module a part of the API; each registers its functions with `handles`.

A handler takes the organisation and a checked request and returns an `Answer`: `data(…)`, `empty()`,
`page(request, items)`. It refuses by raising: `missing()` for a wrong id of the path, `invalid("body (…)")`
or `Refusal(400, text)` otherwise, always before anything is changed. What an act brings with it (log,
webhooks, outbox) comes from `acts` and `events`; what is due later goes to `org.jobs` and `later.JOBS`.
A new module is found by being here.
"""
