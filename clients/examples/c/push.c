/*  Push events: metrics, a request, and an incident.
 *
 *      push [METRICS [REQUESTS [INCIDENTS]]]        (addresses)
 */
#include <stdio.h>
#include <tocsin.h>

int main(int count, char **arguments)
{
    tocsin_emitter_options_t options = {.metrics = count > 1 ? arguments[1] : NULL,
                                        .requests = count > 2 ? arguments[2] : NULL,
                                        .incidents = count > 3 ? arguments[3] : NULL};
    tocsin_emitter_t *emitter = tocsin_emitter_new(&options);
    if (emitter == NULL) {
        perror("push");
        return 1;
    }

    tocsin_metric(emitter, "example_queue_depth", TOCSIN_GAUGE, 17, "language", "c", NULL);
    tocsin_request(emitter, "POST /example", 0.031, "postgresql", "connection refused", NULL);
    tocsin_incident(emitter, "an example is running", "low", "language", "c", NULL);

    /* counted in a tight loop: one event a second instead of a million */
    tocsin_aggregate(emitter, "example_orders");
    for (int i = 0; i < 1000000; i++)
        tocsin_metric(emitter, "example_orders", TOCSIN_COUNTER, 1, "language", "c", NULL);

    tocsin_status_t status = tocsin_flush(emitter, 5);
    if (status == TOCSIN_OK)
        puts("pushed 4 events");
    else
        fprintf(stderr, "push: %s does not take them: %s\n", tocsin_unsent_address(emitter),
                tocsin_status_text(status));
    tocsin_emitter_destroy(&emitter);
    return status == TOCSIN_OK ? 0 : 1;
}
