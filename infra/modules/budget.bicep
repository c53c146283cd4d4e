// Tells people when the month's costs of the group approach or are bound to pass the budget. It stops nothing.

param name string
param amount int

@description('First day of the month in which the budget was made.')
param startDate string

@description('Addresses, separated by commas.')
param emails string

var people = empty(emails) ? [] : split(emails, ',')

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: startDate
    }
    notifications: {
      nearly: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: people
        contactRoles: [
          'Owner'
        ]
      }
      bound: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: people
        contactRoles: [
          'Owner'
        ]
      }
    }
  }
}
