#include <stdio.h>

int main(int argc, char **argv) {
  printf("Hello from a page, linked by wield\n");
  return 0;
}
