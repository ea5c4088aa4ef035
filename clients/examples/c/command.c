/*  Open an incident exactly once, whatever happens to the broker or the connection meanwhile.
 *
 *      command [ONCE [CONTROL [TITLE]]]
 *
 *  The library gives every command a `once` of its own and sends it again until it is answered.
 *  With ONCE given here, this program can even be run again: the answer is that of the first time.
 */
#include <stdio.h>
#include <tocsin.h>

int main(int count, char **arguments)
{
    const char *once = count > 1 ? arguments[1] : NULL;
    const char *title = count > 3 ? arguments[3] : "the disk of db-1 is full";
    tocsin_commander_t *commander = tocsin_commander_new(count > 2 ? arguments[2] : NULL, 30);
    if (commander == NULL) {
        perror("command");
        return 1;
    }
    tocsin_reply_t *reply;
    tocsin_status_t status =
        once == NULL
            ? tocsin_ask(commander, &reply, "incident.open", "title:s severity:s systems:[s]",
                         title, "high", "db-1")
            : tocsin_ask(commander, &reply, "incident.open",
                         "title:s severity:s systems:[s] once:s", title, "high", "db-1", once);
    if (status == TOCSIN_OK) {
        char id[64], text[256];
        tocsin_value_t incident = tocsin_reply_result(reply);
        printf("%s %s\n", tocsin_value_copy(tocsin_value_of(incident, "incident"), id, sizeof id),
               tocsin_value_copy(tocsin_value_of(incident, "title"), text, sizeof text));
    } else {
        fprintf(stderr, "command: %s\n", tocsin_commander_error(commander));
    }
    tocsin_reply_destroy(&reply);
    tocsin_commander_destroy(&commander);
    return status == TOCSIN_OK ? 0 : 1;
}
