// Where alerts about models go: to POST /api/alerts, in the common alert schema. The key in the address opens that function alone.
// Who may read action groups sees it; the Entra app (alertsAppId) makes it worthless by itself.

param appName string
param token string
param tags object

@description('Addresses, separated by commas; empty: no group of people.')
param emails string

@description('Client id of the Entra app that guards the function. Empty: the key alone does.')
param alertsAppId string

@description('Object id of that application; not that of its enterprise application.')
param alertsObjectId string

resource site 'Microsoft.Web/sites@2024-04-01' existing = {
  name: appName
}

resource alerts 'Microsoft.Web/sites/functions@2024-04-01' existing = {
  parent: site
  name: 'alerts'
}

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-upkeep-${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'upkeep'
    enabled: true
    webhookReceivers: [
      {
        name: 'upkeep'
        serviceUri: 'https://${site.properties.defaultHostName}/api/alerts?code=${uriComponent(alerts.listKeys().default)}'
        useCommonAlertSchema: true
        useAadAuth: !empty(alertsAppId)
        objectId: empty(alertsAppId) ? null : alertsObjectId
        identifierUri: empty(alertsAppId) ? null : 'api://${alertsAppId}'
        tenantId: empty(alertsAppId) ? null : tenant().tenantId
      }
    ]
  }
}

// Made by people.bicep when there are addresses.
resource people 'Microsoft.Insights/actionGroups@2023-01-01' existing = if (!empty(emails)) {
  name: 'ag-upkeep-people-${token}'
}

output id string = group.id
output peopleId string = empty(emails) ? '' : people.id
