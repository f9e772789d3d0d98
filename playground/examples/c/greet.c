#include <stdio.h>

void print_greeting(const char *name) {
  printf("Good morning, %s\n", name);
}
