#include <stdio.h>

double circle(double r);
double square(double a);

int main(void) {
  printf("circle %.3f, square %.3f\n", circle(2), square(3));
  return 0;
}
