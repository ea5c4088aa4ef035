/*  Hear every incident once and in order, from a number on, through restarts of either side.
 *
 *      subscribe SINCE COUNT [EVENTS [CONTROL]]
 *
 *  To resume, keep the last number that was dealt with and give it as SINCE.
 */
#include <stdio.h>
#include <stdlib.h>
#include <tocsin.h>

typedef struct {
    unsigned long left;
} printer_t;

static bool print(void *context, const tocsin_publication_t *publication)
{
    printer_t *self = context;
    if (publication->lost > 0)
        printf("%llu before this one are lost\n", (unsigned long long)publication->lost);
    printf("%llu %s %s\n", (unsigned long long)publication->seq, publication->type,
           publication->subject);
    fflush(stdout);
    return --self->left > 0;
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: subscribe SINCE COUNT [EVENTS [CONTROL]]\n");
        return 64;
    }
    tocsin_position_t position = {"incident", strtoull(arguments[1], NULL, 10)};
    printer_t printer = {strtoul(arguments[2], NULL, 10)};
    const char *families[] = {"incident"};
    tocsin_subscriber_options_t options = {.events = count > 3 ? arguments[3] : NULL,
                                           .control = count > 4 ? arguments[4] : NULL,
                                           .families = families,
                                           .family_count = 1,
                                           .positions = &position,
                                           .position_count = 1};
    tocsin_subscriber_t *subscriber = tocsin_subscriber_new(&options);
    if (subscriber == NULL) {
        perror("subscribe");
        return 1;
    }
    tocsin_status_t status = tocsin_listen(subscriber, print, &printer, -1);
    tocsin_subscriber_destroy(&subscriber);
    if (status != TOCSIN_OK)
        fprintf(stderr, "subscribe: %s\n", tocsin_status_text(status));
    return status == TOCSIN_OK ? 0 : 1;
}
